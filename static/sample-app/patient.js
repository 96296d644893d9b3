// Who the record is about.

import { inWords, timeOf, yearsBetween } from './date.js';

const SEX = { female: 'Female', male: 'Male', other: 'Other', unknown: 'Unknown' };

/** The name a person goes by: the official one, or else the first that is in use. */
export function nameOf(patient) {
  const names = (patient.name ?? []).filter(({ use }) => use !== 'old');
  const name = names.find(({ use }) => use === 'official') ?? names.find(({ use }) => use === 'usual') ?? names[0];
  if (!name) return 'No name in the record';
  return name.text ?? [...(name.prefix ?? []), ...(name.given ?? []), name.family, ...(name.suffix ?? [])].filter(Boolean).join(' ');
}

export function birthText(patient) {
  const birth = inWords(patient.birthDate);
  if (!birth) return 'Not in the record';
  const death = timeOf(patient.deceasedDateTime);
  if (death !== null) return `${birth} (died ${inWords(patient.deceasedDateTime)}, aged ${yearsBetween(patient.birthDate, death)})`;
  if (patient.deceasedBoolean === true) return `${birth} (deceased)`;
  const age = yearsBetween(patient.birthDate, Date.now());
  return `${birth} (${age} ${age === 1 ? 'year' : 'years'})`;
}

export const sexText = (patient) => SEX[patient.gender] ?? 'Not in the record';

/** The medical record number: the identifier of type MR. */
export function recordNumber(patient) {
  const isMr = ({ type }) => (type?.coding ?? []).some(({ code }) => code === 'MR');
  const found = (patient.identifier ?? []).filter(({ use }) => use !== 'old').find(isMr);
  return found?.value ?? 'Not in the record';
}
