// What an EHR launch brings beside the patient: the visit, what the app was opened for, and whether
// the record system shows by itself whose record it is.

import { inWords } from './date.js';
import { byId, element } from './page.js';
import { Problem, SessionEnded } from './problem.js';
import { allows } from './scope.js';

/** The visit in words; its bare id where the app may not read it. */
async function visitText(session, client, id) {
  if (!allows(session.scope, 'Encounter', 'r')) return id;
  try {
    const { type, status, period } = await client.read('Encounter', id);
    const name = type?.[0]?.text ?? type?.[0]?.coding?.[0]?.display ?? id;
    return [name, status?.replaceAll('-', ' '), period?.start && `since ${inWords(period.start)}`].filter(Boolean).join(', ');
  } catch (problem) {
    if (problem instanceof SessionEnded || !(problem instanceof Problem)) throw problem;
    return id;
  }
}

/** Reads what there is to read; returns how to show it. */
export async function showContext(session, client) {
  const { encounter, intent, need_patient_banner: needsBanner } = session.facts;
  const lines = [];
  if (typeof encounter === 'string') lines.push(['Visit', await visitText(session, client, encounter)]);
  if (typeof intent === 'string') lines.push(['Opened for', intent]);
  return () => {
    // Only a clear "no" hides whose record it is: nothing is worse than a record without a name.
    byId('patient').hidden = needsBanner === false;
    const place = byId('context');
    if (!place) return;
    place.hidden = lines.length === 0;
    place.replaceChildren(...lines.map(([name, value]) => element('span', {}, element('strong', {}, `${name}: `), value)));
  };
}
