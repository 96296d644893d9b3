// What lies beyond the scopes: the app asks for it all the same, and shows what the server answers.

import { byId, element } from './page.js';
import { Problem, SessionEnded } from './problem.js';

// An app that behaves does not do this: it is here to show that the server does not rely on that.
const ATTEMPTS = [
  { name: 'Search for vital signs', run: (client, patient) => client.search('Observation', { patient, category: 'vital-signs' }) },
  // In the demonstration everybody's first observation is a vital sign.
  { name: 'Read one vital sign by its id', run: (client, patient) => client.read('Observation', `${patient}-obs-1`) },
  { name: 'Search for conditions', run: (client, patient) => client.search('Condition', { patient }) },
];

const found = ({ resources }) => (resources?.length === 0 ? 'Nothing found' : 'Given');

async function answerTo({ run }, client, patient) {
  try {
    return found(await run(client, patient));
  } catch (problem) {
    if (problem instanceof SessionEnded || !(problem instanceof Problem)) throw problem;
    return `Refused (${problem.technical})`;
  }
}

/** Tries, where the page has a place for it; returns how to show what came of it. */
export async function showAttempts(session, client) {
  const place = byId('attempts');
  const answers = place ? await Promise.all(ATTEMPTS.map((attempt) => answerTo(attempt, client, session.patient))) : [];
  return () => place?.replaceChildren(...ATTEMPTS.map(({ name }, at) => element('li', {},
    element('span', { class: 'item-name' }, name),
    element('span', { class: 'status' }, answers[at]))));
}
