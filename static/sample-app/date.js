// FHIR dates: from a year alone to an instant with a time zone.

const LOCALE = 'en-GB';

/** Milliseconds of a FHIR date or dateTime, or null. A date without a time is a local day. */
export function timeOf(text) {
  if (typeof text !== 'string') return null;
  const day = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text);
  // Date.parse would read a bare date as UTC, and west of Greenwich show the day before it.
  const time = day ? new Date(Number(day[1]), Number(day[2] ?? 1) - 1, Number(day[3] ?? 1)).getTime() : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

const format = (options) => {
  const formatter = new Intl.DateTimeFormat(LOCALE, options);
  return (time) => formatter.format(time);
};

export const asYear = format({ year: 'numeric' });
export const asMonth = format({ month: 'short', year: 'numeric' });
export const asDay = format({ day: 'numeric', month: 'short', year: 'numeric' });
export const asShortDay = format({ day: 'numeric', month: 'short' });
export const asHour = format({ hour: '2-digit', minute: '2-digit' });
export const asClock = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** A FHIR date in words, no more precise than it is. */
export function inWords(text) {
  const time = timeOf(text);
  if (time === null) return null;
  if (/^\d{4}$/.test(text)) return asYear(time);
  if (/^\d{4}-\d{2}$/.test(text)) return asMonth(time);
  return asDay(time);
}

/** Whole years from one FHIR date to a moment. */
export function yearsBetween(birth, until) {
  const from = timeOf(birth);
  if (from === null) return null;
  const [start, end] = [new Date(from), new Date(until)];
  const early = end.getMonth() < start.getMonth() || (end.getMonth() === start.getMonth() && end.getDate() < start.getDate());
  return end.getFullYear() - start.getFullYear() - (early ? 1 : 0);
}
