// Where the authorization server sends the browser back to. The viewer is this same page, so that
// the tokens need not pass from one page to the next, and a reload shows the record again.

import { loadConfig } from './config.js';
import { showDeveloperFacts, userText } from './developer.js';
import { byId, clearProblem, element, entitle, guarded, labelData, say, setState } from './page.js';
import { Problem, SessionEnded } from './problem.js';
import { Session, forgetAll } from './session.js';
import { endSessionAddress, finishSignIn, isAnswer, refresh, revoke } from './smart.js';
import { wear } from './style.js';
import { hideRecord, showRecord } from './viewer.js';

// Before anything else: the code leaves the address bar, and with it the history.
const answer = new URLSearchParams(location.search);
history.replaceState(null, '', location.pathname);

/** Work that needs the session; when the session turns out to be over, the record goes with it. */
async function withRecord(work) {
  await guarded(async () => {
    try {
      await work();
    } catch (problem) {
      if (problem instanceof SessionEnded) {
        forgetAll();
        hideRecord();
        byId('actions').hidden = true;
      }
      throw problem;
    }
  });
}

async function open() {
  const config = await loadConfig();
  labelData(config);
  let session;
  if (isAnswer(answer)) {
    say('Signing in …');
    session = await finishSignIn(answer);
  } else {
    session = Session.load();
    if (!session) throw new Problem('This tab is not connected to a record', 'Connect to one from the start.');
    await session.claimRefreshToken();
  }
  await wear(session.facts.smart_style_url);
  const show = async () => {
    await showRecord(session);
    byId('user').textContent = userText(session);
    showDeveloperFacts(session);
  };
  byId('sign-out').addEventListener('click', () => guarded(() => signOut(session)));
  byId('reload').addEventListener('click', () => withRecord(show));
  byId('refresh').addEventListener('click', () => withRecord(() => refreshNow(session)));
  byId('actions').hidden = false;
  await withRecord(show);
}

async function refreshNow(session) {
  const button = byId('refresh');
  button.disabled = true;
  try {
    const { rotated } = await refresh(session);
    byId('refreshed').textContent = rotated
      ? 'A new access token is here, and a new refresh token took the place of the old one.'
      : 'A new access token is here; the refresh token stays the same.';
  } catch (problem) {
    if (problem instanceof SessionEnded) throw problem;
    // The record on the screen is still good; only the refresh was not.
    byId('refreshed').textContent = `No new token. ${problem.title ?? 'Something went wrong in this app'}.`;
  } finally {
    showDeveloperFacts(session);
    // A button that was disabled has lost the focus; whoever uses the keyboard wants it back.
    button.focus();
  }
}

async function signOut(session) {
  setState('working');
  clearProblem();
  hideRecord();
  byId('actions').hidden = true;
  entitle('Signed out');
  say('Signing out …');
  const [revoked, address] = await Promise.all([revoke(session), endSessionAddress(session)]);
  session.forget();
  say('');
  const heading = element('h1', { tabindex: '-1' }, 'You are signed out');
  byId('signed-out').replaceChildren(
    heading,
    element('p', {}, revoked
      ? 'This app has given its access back to the server and forgotten everything.'
      : 'This app has forgotten everything. The server did not confirm that it took the access back; it ends by itself when its time is up.'),
    address && element('p', {}, 'You may still be signed in at the record’s server itself.'),
    element('p', { class: 'buttons' },
      element('a', { class: 'button', href: 'index.html' }, 'Back to the start'),
      address && element('a', { class: 'button quiet', id: 'end-session', href: address }, 'Sign out of the server too')),
  );
  byId('signed-out').hidden = false;
  heading.focus();
  setState('start');
}

guarded(open);
