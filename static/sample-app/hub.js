// The first page of the demonstration: what only this run knows, filled in.

import { byId, element, guarded, setState } from './page.js';
import { Problem } from './problem.js';

guarded(async () => {
  const response = await fetch('config.json', { cache: 'no-store', credentials: 'omit' });
  if (!response.ok) throw new Problem('This page has not been set up', 'It could not read its config.json.');
  const { issuer, password, people } = await response.json();
  byId('launch-pad').href = `${issuer}/launch-pad`;
  byId('password').textContent = password;
  for (const place of document.querySelectorAll('[data-who]')) {
    place.textContent = people.find(({ kind }) => kind === place.dataset.who)?.username;
  }
  byId('people').replaceChildren(...people.map(({ username, kind, note }) => element('li', {},
    element('code', { class: 'item-name' }, username),
    element('span', { class: 'status' }, kind),
    element('span', { class: 'item-detail' }, note))));
  setState('ready');
});
