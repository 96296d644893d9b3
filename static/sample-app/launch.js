// An EHR launch: the record system opens this page with its own address (`iss`) and a handle to
// what it has open (`launch`).

import { loadConfig, trimmed } from './config.js';
import { guarded, labelData, say } from './page.js';
import { Problem } from './problem.js';
import { beginSignIn } from './smart.js';

guarded(async () => {
  const config = await loadConfig();
  labelData(config);
  const parameters = new URLSearchParams(location.search);
  const [issuers, launches] = [parameters.getAll('iss'), parameters.getAll('launch')];
  if (issuers.length !== 1 || launches.length !== 1 || !launches[0]) {
    throw new Problem('This page is opened by a record system', 'To open the app by yourself, begin at the start.', 'iss or launch is missing');
  }
  // Anyone can link to this page. Without this check a link could send people to sign in at a
  // server that only looks like theirs.
  if (trimmed(issuers[0]) !== config.fhirBase) {
    throw new Problem('This app does not know that record system', 'It is set up for one server only, and this is another.');
  }
  say('Going to the record’s server …');
  // replace: going back should lead to the record system, not to this launch once more.
  location.replace(await beginSignIn({ ...config, launch: launches[0] }));
});
