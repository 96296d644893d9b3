// A problem that a person can be told about.
//
// Everything the app expects to go wrong is thrown as a Problem, in words meant for the reader.
// Any other exception is a fault of this app, and its message is never shown: the message of a
// failed JSON.parse, for one, quotes the text it was given, and that text may hold a token.

export class Problem extends Error {
  /**
   * @param {string} title      what happened, in one short sentence
   * @param {string} [advice]   what the reader can do about it
   * @param {string} [technical] the server's own words, for developers; never a token
   */
  constructor(title, advice = '', technical = '') {
    super(title);
    this.name = 'Problem';
    this.title = title;
    this.advice = advice;
    this.technical = technical;
  }
}

/** The server no longer honours the session: whatever it allowed must go from the screen too. */
export class SessionEnded extends Problem {
  constructor(technical = '') {
    super(
      'This app no longer has access to the record',
      'The access has run out, or it was withdrawn. You can connect again and choose anew what to share.',
      technical,
    );
    this.name = 'SessionEnded';
  }
}

const AUTHORIZATION_ERRORS = {
  access_denied: ['You did not share your record', 'That is your choice to make: nothing was read. You can connect again whenever you like.'],
  invalid_scope: ['The server does not offer what this app asked for', 'The app may need to be registered with other scopes.'],
  unauthorized_client: ['The server does not let this app do that', 'The app may not be registered for this way of connecting.'],
  invalid_request: ['The server did not understand the request', 'Try to connect again. If it stays so, the app or its registration needs a correction.'],
  unsupported_response_type: ['The server does not offer this way of connecting', 'It has to support the authorization code flow.'],
  login_required: ['The server wants you to sign in first', 'Connect again and sign in.'],
  consent_required: ['The server needs your consent first', 'Connect again and choose what to share.'],
  interaction_required: ['The server needs to ask you something first', 'Connect again and answer its questions.'],
  server_error: ['The server had a fault of its own', 'Nothing was read. Try again in a little while.'],
  temporarily_unavailable: ['The server is busy at the moment', 'Nothing was read. Try again in a little while.'],
};

const TOKEN_ERRORS = {
  invalid_grant: ['The sign-in has expired or was already used', 'Connect again: a sign-in is good for one use within a short time.'],
  invalid_client: ['The server does not know this app', 'The app may not be registered, or its registration was suspended.'],
};

function described(table, error, description) {
  const [title, advice] = table[error] ?? ['The server did not agree', 'Try to connect again.'];
  return new Problem(title, advice, description ? `${error}: ${description}` : error);
}

/** The problem behind an error that came back from the authorization endpoint. */
export const fromAuthorization = (error, description) => described(AUTHORIZATION_ERRORS, error, description);

/** The problem behind an error that came back from the token endpoint. */
export const fromToken = (error, description) => described({ ...AUTHORIZATION_ERRORS, ...TOKEN_ERRORS }, error, description);
