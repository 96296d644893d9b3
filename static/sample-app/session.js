// What the app remembers, and for how long.
//
// Everything lives in sessionStorage. It belongs to one tab and ends with it, so tabs cannot
// disturb each other, and it survives the trip to the server and a reload. A script that got into
// this page could read it; the strict Content-Security-Policy and the absence of any foreign
// script are the answer to that, as for every app that runs in a browser alone.

// The apps of the demonstration share an origin, and so their storage: each keeps to its own keys.
const APP = location.pathname.split('/').at(-2);
const PENDING = `${APP}.pending.`;
const CURRENT = `${APP}.session`;
const PENDING_LIFE_MS = 60 * 60 * 1000;

/** Remembers a sign-in that is under way, under its state, so that two of them never mix. */
export function rememberPending(state, pending) {
  dropStalePending();
  sessionStorage.setItem(PENDING + state, JSON.stringify({ ...pending, startedAt: Date.now() }));
}

/** The sign-in that this state belongs to. It can be taken only once: an answer is not replayed. */
export function takePending(state) {
  const text = sessionStorage.getItem(PENDING + state);
  sessionStorage.removeItem(PENDING + state);
  return text ? JSON.parse(text) : null;
}

function pendingKeys() {
  return Object.keys(sessionStorage).filter((key) => key.startsWith(PENDING));
}

function dropStalePending() {
  for (const key of pendingKeys()) {
    const { startedAt } = JSON.parse(sessionStorage.getItem(key));
    if (!(Date.now() - startedAt < PENDING_LIFE_MS)) sessionStorage.removeItem(key);
  }
}

// A token response holds secrets and facts. They are kept apart from the start, so that what is
// put on the screen comes from a place where no secret ever was.
const SECRETS = ['access_token', 'refresh_token', 'id_token'];

/** An established connection to one record. */
export class Session {
  constructor(data) {
    Object.assign(this, data);
  }

  /** A new session from a sign-in and the token response that ended it. */
  static begin({ pending, response, claims }) {
    const session = new Session({
      id: crypto.randomUUID(),
      fhirBase: pending.fhirBase,
      clientId: pending.clientId,
      requestedScope: pending.scope,
      nonce: pending.nonce,
      server: pending.server,
      secrets: {},
      facts: {},
      claims: null,
      tokenCount: 0,
    });
    session.accept(response, claims);
    return session;
  }

  static load() {
    const text = sessionStorage.getItem(CURRENT);
    return text ? new Session(JSON.parse(text)) : null;
  }

  /** Takes in a token response: the first one, or one from a refresh. */
  accept(response, claims) {
    for (const name of SECRETS) {
      // A refresh may leave out the refresh token (it stays the same) or replace it (rotation:
      // the old one must never be sent again).
      if (response[name]) this.secrets[name] = response[name];
    }
    const facts = Object.entries(response).filter(([name]) => !SECRETS.includes(name));
    this.facts = { ...this.facts, ...Object.fromEntries(facts) };
    // RFC 6749, 5.1: no scope in the answer means the scope that was asked for.
    this.facts.scope ??= this.requestedScope;
    this.claims = claims ?? this.claims;
    this.receivedAt = Date.now();
    this.tokenCount += 1;
    this.save();
  }

  get scope() {
    return this.facts.scope;
  }

  get patient() {
    return typeof this.facts.patient === 'string' ? this.facts.patient : null;
  }

  get canRefresh() {
    return Boolean(this.secrets.refresh_token);
  }

  save() {
    sessionStorage.setItem(CURRENT, JSON.stringify(this));
  }

  /**
   * A duplicated tab begins with a copy of this tab's storage. Were both to use one refresh token,
   * a server that rotates it would see a stolen token used twice and end the session of both. So
   * the first tab holds a lock for as long as it lives, and a tab that finds it taken gives up its
   * copy of the refresh token.
   */
  async claimRefreshToken() {
    if (!navigator.locks || !this.canRefresh) return;
    const got = await new Promise((resolve) => {
      navigator.locks
        // A reload may ask before the page it replaces has let go; half a second is ample.
        .request(`${APP}.${this.id}`, { signal: AbortSignal.timeout(500) }, () => {
          resolve(true);
          return new Promise(() => {});
        })
        .catch(() => resolve(false));
    });
    if (!got) {
      delete this.secrets.refresh_token;
      this.isCopy = true;
      this.save();
    }
  }

  /** Forgets everything this tab knows: the session, and any sign-in under way. */
  forget() {
    this.secrets = {};
    forgetAll();
  }
}

export function forgetAll() {
  sessionStorage.removeItem(CURRENT);
  for (const key of pendingKeys()) sessionStorage.removeItem(key);
}
