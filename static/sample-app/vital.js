// Vital signs: from FHIR Observations to series that can be plotted and tabulated.

import { timeOf } from './date.js';

// In the order in which they are shown. A vital with `lines` has several numbers per reading,
// each with a code of its own, whether they come as components of a panel or by themselves.
const KNOWN = [
  {
    key: 'blood-pressure',
    title: 'Blood pressure',
    lines: [
      { name: 'Systolic', codes: ['8480-6'] },
      { name: 'Diastolic', codes: ['8462-4'] },
    ],
  },
  { key: 'heart-rate', title: 'Heart rate', lines: [{ codes: ['8867-4'] }] },
  { key: 'weight', title: 'Weight', lines: [{ codes: ['29463-7', '3141-9'] }] },
  { key: 'bmi', title: 'Body mass index', lines: [{ codes: ['39156-5'] }] },
  { key: 'oxygen-saturation', title: 'Oxygen saturation', lines: [{ codes: ['2708-6', '59408-5'] }] },
  { key: 'respiratory-rate', title: 'Respiratory rate', lines: [{ codes: ['9279-1'] }] },
  { key: 'temperature', title: 'Temperature', lines: [{ codes: ['8310-5', '8331-1'] }] },
  { key: 'height', title: 'Height', lines: [{ codes: ['8302-2'] }] },
  { key: 'head-circumference', title: 'Head circumference', lines: [{ codes: ['9843-4', '8287-5'] }] },
];

const PLACES = new Map(
  KNOWN.flatMap((vital, order) => vital.lines.flatMap(({ codes }, column) => codes.map((code) => [code, { vital, order, column }]))),
);

// UCUM units as they are printed. Those of the United States are converted, so that readings from
// two places share one scale.
const UNITS = {
  'mm[Hg]': { print: 'mmHg' },
  '/min': { print: 'per min' },
  '{beats}/min': { print: 'per min' },
  '{Beats}/min': { print: 'per min' },
  '{breaths}/min': { print: 'per min' },
  'kg/m2': { print: 'kg/m²' },
  Cel: { print: '°C' },
  '[degF]': { print: '°C', convert: (value) => ((value - 32) * 5) / 9 },
  '[lb_av]': { print: 'kg', convert: (value) => value * 0.45359237 },
  '[in_i]': { print: 'cm', convert: (value) => value * 2.54 },
  g: { print: 'kg', convert: (value) => value / 1000 },
  m: { print: 'cm', convert: (value) => value * 100 },
};

const UNUSABLE = new Set(['entered-in-error', 'cancelled', 'registered']);

/** A Quantity as a number and a unit to print, or null. */
function quantity(value) {
  if (typeof value?.value !== 'number') return null;
  const code = value.code ?? value.unit ?? '';
  const known = Object.hasOwn(UNITS, code) ? UNITS[code] : null;
  const number = known?.convert ? known.convert(value.value) : value.value;
  const print = known?.print ?? (code.startsWith('{') ? '' : value.unit ?? code);
  return { number: Math.round(number * 10) / 10, unit: print, comparator: value.comparator ?? '' };
}

const codesOf = (concept) => (concept?.coding ?? []).map(({ code }) => code).filter(Boolean);

const nameOf = (concept) => concept?.text ?? concept?.coding?.find(({ display }) => display)?.display ?? codesOf(concept)[0] ?? 'Other reading';

const takenAt = (observation) =>
  timeOf(observation.effectiveDateTime ?? observation.effectivePeriod?.start ?? observation.effectiveInstant ?? observation.issued);

/** Where a reading belongs: a known vital, or a vital of its own for a code not known here. */
function placeOf(concept) {
  for (const code of codesOf(concept)) {
    if (PLACES.has(code)) return PLACES.get(code);
  }
  const code = codesOf(concept)[0] ?? nameOf(concept);
  return { vital: { key: `other-${code}`, title: nameOf(concept), lines: [{}] }, order: KNOWN.length, column: 0 };
}

/**
 * The vitals in a list of Observations, each
 * `{ key, title, unit, names, rows: [{ time, values, comparators }] }`, its rows in order of time.
 */
export function vitalsIn(observations) {
  const found = new Map();
  for (const observation of observations) {
    const time = takenAt(observation);
    if (time === null || UNUSABLE.has(observation.status)) continue;
    for (const part of [observation, ...(observation.component ?? [])]) {
      const reading = quantity(part.valueQuantity);
      if (!reading) continue;
      const { vital, order, column } = placeOf(part.code);
      // A unit that cannot be converted gets a plot of its own: two scales never share an axis.
      const id = `${vital.key} ${reading.unit}`;
      if (!found.has(id)) {
        found.set(id, { key: vital.key, title: vital.title, order, unit: reading.unit, names: vital.lines.map(({ name }) => name ?? vital.title), rows: [] });
      }
      enter(found.get(id), time, column, reading);
    }
  }
  const vitals = [...found.values()].sort((a, b) => a.order - b.order || a.title.localeCompare(b.title, 'en'));
  for (const vital of vitals) vital.rows.sort((a, b) => a.time - b.time);
  return vitals;
}

/** Readings of one moment share a row, unless that place in the row is taken. */
function enter({ names, rows }, time, column, { number, comparator }) {
  let row = rows.find((each) => each.time === time && each.values[column] === null);
  if (!row) {
    row = { time, values: names.map(() => null), comparators: names.map(() => '') };
    rows.push(row);
  }
  row.values[column] = number;
  row.comparators[column] = comparator;
}

/** One reading in words: `128/82`, `71.5`, `<40`. */
export const readingText = ({ values, comparators }) =>
  values.map((value, column) => (value === null ? '–' : `${comparators[column]}${value}`)).join('/');
