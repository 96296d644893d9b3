// The record on the screen: the parts that the app's page has a place for, each from what was shared.

import { showAttempts } from './attempt.js';
import { chart, marker } from './chart.js';
import { showContext } from './context.js';
import { asDay } from './date.js';
import { FhirClient, Refused } from './fhir.js';
import { conditionsIn, medicationsIn, resultsIn, vaccinesIn } from './list.js';
import { byId, clearProblem, drawn, element, entitle, say, setState } from './page.js';
import { birthText, nameOf, recordNumber, sexText } from './patient.js';
import { Problem, SessionEnded } from './problem.js';
import { allows, inWords, narrower, outcome, scopeList } from './scope.js';
import { readingText, vitalsIn } from './vital.js';

const NOT_SHARED = 'Not shared with this app';

const notShared = () => element('p', { class: 'not-shared' }, NOT_SHARED);

/** Reads everything that was shared and shows it. */
export async function showRecord(session) {
  setState('working');
  clearProblem();
  say('Reading the record …');
  if (!session.patient) {
    throw new Problem(
      'The server did not say whose record this is',
      'Connect again, and leave “Which patient’s record to open” ticked.',
      'no patient in the token response',
    );
  }
  const client = new FhirClient(session);
  // All parts at once: one that fails, or was not shared, leaves the others alone. Each shows
  // only after all have answered, so that an ended session never leaves half a record behind.
  const shown = await Promise.all([
    part(session, 'Patient', 'r', () => client.read('Patient', session.patient), showPatient),
    ...places().map((place) => {
      const { type, categories, show } = PARTS[place.id];
      const query = { patient: session.patient, ...(categories && { category: categories.join() }), _count: '100' };
      return part(session, type, 's', () => client.search(type, query), (found, excuse) => show(place, found, excuse), categories);
    }),
    showContext(session, client),
    showAttempts(session, client),
  ]);
  // The page has to be visible before the charts are put in: they ask for their width.
  byId('record').hidden = false;
  for (const show of shown) show();
  showSharing(session);
  say('');
  setState('ready');
}

/** Takes everything that came from the record off the page. */
export function hideRecord() {
  byId('record').hidden = true;
  for (const place of [...places(), ...['context', 'attempts', 'sharing'].map(byId)]) place?.replaceChildren();
  for (const id of ['patient-name', 'patient-birth-date', 'patient-sex', 'patient-mrn', 'user']) byId(id).textContent = '';
}

/** Reads one part; returns how to show it, or how to say why it cannot be shown. */
async function part(session, type, right, read, show, categories) {
  if (!allows(session.scope, type, right, categories)) return () => show(null, notShared());
  try {
    const result = await read();
    return () => show(result, null);
  } catch (problem) {
    if (problem instanceof SessionEnded || !(problem instanceof Problem)) throw problem;
    if (problem instanceof Refused) return () => show(null, notShared());
    return () => show(null, element('p', { class: 'not-shared' }, `${problem.title}. ${problem.advice}`));
  }
}

function showPatient(patient, excuse) {
  const blank = excuse?.textContent;
  byId('patient-name').textContent = patient ? nameOf(patient) : blank;
  byId('patient-birth-date').textContent = patient ? birthText(patient) : blank;
  byId('patient-sex').textContent = patient ? sexText(patient) : blank;
  byId('patient-mrn').textContent = patient ? recordNumber(patient) : blank;
  byId('patient').classList.toggle('withheld', !patient);
  entitle(patient ? nameOf(patient) : '');
}

const incomplete = (found) =>
  !found.complete && element('p', { class: 'note' }, 'There is more of this in the record than is shown here.');

function showVitals(place, found, excuse) {
  if (!found) return place.replaceChildren(excuse);
  const vitals = vitalsIn(found.resources);
  if (vitals.length === 0) return place.replaceChildren(element('p', { class: 'empty' }, 'No vital signs in the record.'));
  return place.replaceChildren(...vitals.map(vitalCard), ...[incomplete(found)].filter(Boolean));
}

function vitalCard(vital) {
  const { key, title, unit, names, rows } = vital;
  const value = element('span', { class: 'value' });
  const when = element('span', { class: 'when' });
  // The heading figure is the latest reading, or the one under the pointer.
  const headline = (picked) => {
    const row = picked ?? rows.at(-1);
    value.replaceChildren(readingText(row), ' ', element('span', { class: 'unit' }, unit));
    when.textContent = picked ? asDay(row.time) : `Latest, ${asDay(row.time)}`;
  };
  headline(null);
  return element('article', { class: names.length > 1 ? 'vital card wide' : 'vital card', 'data-vital': key },
    element('header', {},
      element('h3', {}, title),
      element('p', { class: 'headline' }, value, when)),
    names.length > 1 && legend(names),
    chart(vital, headline),
    table(vital));
}

function legend(names) {
  return element('ul', { class: 'legend' }, ...names.map((name, column) => element('li', {},
    drawn('svg', { viewBox: '0 0 28 12', width: 28, height: 12, 'aria-hidden': 'true' },
      drawn('path', { class: `line line-${column}`, d: 'M0 6H28' }),
      marker(column, 14, 6, 4)),
    name)));
}

/** The same readings as a table: for screen readers, and for whoever wants the exact numbers. */
function table({ title, unit, names, rows }) {
  const inUnit = (name) => (unit ? `${name} (${unit})` : name);
  const count = rows.length === 1 ? '1 reading' : `${rows.length} readings`;
  return element('details', { class: 'table' },
    element('summary', {}, `${count} as a table`, element('span', { class: 'visually-hidden' }, `: ${title}`)),
    element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${title}, table` },
      element('table', {},
        element('caption', { class: 'visually-hidden' }, `${title}, latest first`),
        element('thead', {}, element('tr', {},
          element('th', { scope: 'col' }, 'Date'),
          ...names.map((name) => element('th', { scope: 'col', class: 'number' }, inUnit(name))))),
        element('tbody', {}, ...rows.toReversed().map(({ time, values, comparators }) => element('tr', {},
          element('th', { scope: 'row' }, asDay(time)),
          ...values.map((value, column) => element('td', { class: 'number' }, value === null ? '–' : `${comparators[column]}${value}`))))))));
}

const listOf = (itemsIn) => (place, found, excuse) => {
  if (!found) return place.replaceChildren(excuse);
  const items = itemsIn(found.resources);
  if (items.length === 0) return place.replaceChildren(element('p', { class: 'empty' }, 'None in the record.'));
  const [current, past] = [items.filter((item) => item.current), items.filter((item) => !item.current)];
  return place.replaceChildren(...[
    current.length > 0 ? list(current) : element('p', { class: 'empty' }, 'None at present.'),
    past.length > 0 && element('details', { class: 'past' }, element('summary', {}, `${past.length} from the past`), list(past)),
    incomplete(found),
  ].filter(Boolean));
};

const list = (items) => element('ul', { class: 'items' }, ...items.map(({ name, status, current, detail, when }) =>
  element('li', {},
    element('span', { class: 'item-name' }, name),
    element('span', { class: current ? 'status current' : 'status' }, status),
    (detail || when) && element('span', { class: 'item-detail' }, [detail, when].filter(Boolean).join(' · ')))));

/** What an app's page can have a place for, by the id of that place. */
const PARTS = {
  conditions: { type: 'Condition', show: listOf(conditionsIn) },
  laboratory: { type: 'Observation', categories: ['laboratory'], show: listOf(resultsIn) },
  life: { type: 'Observation', categories: ['social-history', 'survey', 'sdoh'], show: listOf(resultsIn) },
  medications: { type: 'MedicationRequest', show: listOf(medicationsIn) },
  vaccines: { type: 'Immunization', show: listOf(vaccinesIn) },
  vitals: { type: 'Observation', categories: ['vital-signs'], show: showVitals },
};

const places = () => [...document.querySelectorAll('[data-part]')];

const OUTCOMES = { yes: ['✓', 'Shared'], partly: ['◐', 'Partly shared'], no: ['✗', 'Not shared'] };

/** What was asked for and what came of it. The token response has the last word on both. */
function showSharing(session) {
  byId('sharing').replaceChildren(...scopeList(session.requestedScope).map((scope) => {
    const result = outcome(scope, session.scope);
    const [mark, words] = OUTCOMES[result];
    const parts = result === 'partly' ? narrower(scope, session.scope).map(inWords) : [];
    return element('li', { class: `outcome-${result}` },
      element('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
      element('span', {}, inWords(scope), parts.length > 0 && `: ${parts.join(', ')}`),
      element('span', { class: 'outcome' }, words));
  }));
}
