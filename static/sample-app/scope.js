// SMART scopes: what they allow, and what they mean in plain words.

const RESOURCES = {
  Patient: 'Name, birth date and other personal details',
  Observation: 'Measurements and observations',
  Condition: 'Conditions and diagnoses',
  Encounter: 'Visits',
  Immunization: 'Vaccinations',
  MedicationRequest: 'Prescribed medications',
};

/** The categories of US Core, by the code that a scope's query ends with. */
const CATEGORIES = {
  'encounter-diagnosis': 'Diagnoses made at visits',
  'problem-list-item': 'The problem list',
  'health-concern': 'Health concerns',
  laboratory: 'Laboratory results',
  procedure: 'Clinical tests',
  sdoh: 'Living conditions',
  'social-history': 'Social history',
  survey: 'Questionnaires',
  'vital-signs': 'Vital signs',
};

const OTHERS = {
  launch: 'The patient that is open in the record system',
  'launch/patient': 'Which patient’s record to open',
  openid: 'That you signed in',
  fhirUser: 'Who you are',
  profile: 'Your name',
  offline_access: 'Staying connected without signing in again',
  online_access: 'Staying connected while you are signed in',
};

export const scopeList = (text) => (text ?? '').split(/\s+/).filter(Boolean);

/** `patient/Observation.rs?category=…` in its parts, or null for a scope about no resource. */
function parsed(scope) {
  const match = /^(patient|user|system)\/([A-Za-z]+|\*)\.([a-z]+|\*)(?:\?(.*))?$/.exec(scope);
  if (!match) return null;
  const [, , type, rights, filter] = match;
  // SMART v1 spelled its rights as words; servers may still answer with them.
  const letters = { read: 'rs', write: 'cud', '*': 'cruds' }[rights] ?? rights;
  return { type, letters, filter };
}

/** The codes of the categories that a scope's query names. */
const categoriesOf = (filter) => new URLSearchParams(filter.replaceAll('+', '%2B')).getAll('category')
  .flatMap((value) => value.split(',')).map((token) => token.split('|').at(-1));

/**
 * May the app do this (`r` read, `s` search) to resources of this type, or, where categories are
 * named, to any of those? That much keeps "not shared" apart from "nothing there".
 */
export function allows(granted, type, right, categories = []) {
  const isWithin = ({ filter }) => !filter || categories.length === 0 || categoriesOf(filter).some((code) => categories.includes(code));
  return scopeList(granted).map(parsed).some((scope) =>
    scope && (scope.type === type || scope.type === '*') && scope.letters.includes(right) && isWithin(scope));
}

/** Was this scope, asked for, granted: `yes`, `partly` or `no`? */
export function outcome(requested, granted) {
  const grants = scopeList(granted);
  if (grants.includes(requested)) return 'yes';
  const wanted = parsed(requested);
  if (!wanted) return 'no';
  const related = grants.map(parsed).filter((scope) => scope && (scope.type === wanted.type || scope.type === '*'));
  if (related.some((scope) => !scope.filter && [...wanted.letters].every((letter) => scope.letters.includes(letter)))) return 'yes';
  return related.length > 0 ? 'partly' : 'no';
}

/** The parts of a scope that were granted in its place. */
export function narrower(requested, granted) {
  const wanted = parsed(requested);
  return scopeList(granted).filter((scope) => {
    const grant = parsed(scope);
    return wanted && grant?.filter && grant.type === wanted.type;
  });
}

/** A scope in words for the person whose record it is. */
export function inWords(scope) {
  if (OTHERS[scope]) return OTHERS[scope];
  const parts = parsed(scope);
  if (!parts) return scope;
  const type = parts.type === '*' ? 'Everything in the record' : RESOURCES[parts.type] ?? parts.type;
  if (!parts.filter) return type;
  const words = categoriesOf(parts.filter).map((code) => CATEGORIES[code]);
  return words.length > 0 && words.every(Boolean) ? words.join(', ') : `${type}, where ${parts.filter}`;
}
