// The start page: says what will be asked for, and begins a standalone launch.

import { loadConfig, trimmed } from './config.js';
import { byId, clearProblem, element, guarded, labelData, setState, showProblem } from './page.js';
import { inWords, scopeList } from './scope.js';
import { Session } from './session.js';
import { beginSignIn } from './smart.js';

const rest = () => {
  setState('start');
  byId('connect').disabled = false;
};

function offerOtherServers(config, address) {
  const compare = () => {
    byId('other-server').hidden = trimmed(address.value) === config.fhirBase;
  };
  address.value = config.fhirBase;
  address.addEventListener('input', compare);
  byId('reset').addEventListener('click', () => {
    address.value = config.fhirBase;
    compare();
    address.focus();
  });
}

async function start() {
  const config = await loadConfig();
  labelData(config);
  byId('wishes').replaceChildren(...scopeList(config.scope).map((scope) => element('li', {}, inWords(scope))));
  byId('return').hidden = Session.load() === null;

  const address = byId('fhir-base');
  if (address) offerOtherServers(config, address);

  byId('launch').addEventListener('submit', (event) => {
    // The form never goes anywhere; it is there so that the Enter key works in its field.
    event.preventDefault();
    guarded(async () => {
      clearProblem();
      setState('working');
      byId('connect').disabled = true;
      try {
        location.assign(await beginSignIn({ ...config, fhirBase: address?.value ?? config.fhirBase }));
      } catch (problem) {
        showProblem(problem);
        byId('connect').disabled = false;
      }
    });
  });
  rest();
}

// A browser may bring this page back, as it was left, when the reader goes back from the sign-in.
window.addEventListener('pageshow', ({ persisted }) => persisted && rest());

guarded(start);
