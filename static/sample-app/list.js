// Conditions, medications, results and vaccinations: FHIR resources as lines of a list,
// each `{ name, status, current, detail, when }`.

import { inWords, timeOf } from './date.js';

const nameOf = (concept) => concept?.text ?? concept?.coding?.find(({ display }) => display)?.display ?? concept?.coding?.[0]?.code;

/** What was found, in words: a number with its unit, an answer, or a text. */
function valueText(observation) {
  const { valueQuantity: quantity, valueCodeableConcept: concept, valueString: text } = observation;
  if (quantity) return [`${quantity.comparator ?? ''}${quantity.value}`, quantity.code?.startsWith('{') ? null : quantity.unit].filter(Boolean).join(' ');
  return nameOf(concept) ?? text ?? 'Without a value';
}

const codeOf = (concept) => concept?.coding?.[0]?.code;

const sentence = (code) => code.charAt(0).toUpperCase() + code.slice(1).replaceAll('-', ' ');

/** What counts now comes first, and in it the latest. */
const inOrder = (items) => items.sort((a, b) => b.current - a.current || (b.time ?? 0) - (a.time ?? 0));

export function conditionsIn(resources) {
  return inOrder(resources
    .filter(({ verificationStatus }) => !['entered-in-error', 'refuted'].includes(codeOf(verificationStatus)))
    .map((condition) => {
      const status = codeOf(condition.clinicalStatus) ?? 'unknown';
      const since = condition.onsetDateTime ?? condition.onsetPeriod?.start ?? condition.recordedDate;
      const until = condition.abatementDateTime ?? condition.abatementPeriod?.end;
      const [from, to] = [inWords(since), inWords(until)];
      return {
        name: nameOf(condition.code) ?? 'Condition without a name',
        status: sentence(status),
        // Without a status nothing says that it is over.
        current: !['inactive', 'remission', 'resolved'].includes(status),
        detail: null,
        when: from && to ? `${from} to ${to}` : from ? `Since ${from}` : to ? `Until ${to}` : null,
        time: timeOf(since),
      };
    }));
}

function medicationName(request) {
  const reference = request.medicationReference;
  const contained = reference?.reference?.startsWith('#')
    ? (request.contained ?? []).find(({ id }) => `#${id}` === reference.reference)
    : null;
  return nameOf(request.medicationCodeableConcept) ?? nameOf(contained?.code) ?? reference?.display ?? 'Medication without a name';
}

export function medicationsIn(resources) {
  return inOrder(resources
    .filter(({ status }) => status !== 'entered-in-error')
    .map((request) => {
      const status = request.status ?? 'unknown';
      const written = inWords(request.authoredOn);
      return {
        name: medicationName(request),
        status: sentence(status),
        current: ['active', 'on-hold', 'draft', 'unknown'].includes(status),
        detail: (request.dosageInstruction ?? []).map(({ text }) => text).filter(Boolean).join('; ') || null,
        when: written ? `Prescribed ${written}` : null,
        time: timeOf(request.authoredOn),
      };
    }));
}

/** Observations, the latest of each kind as current. */
export function resultsIn(resources) {
  const seen = new Set();
  return resources
    .filter(({ status }) => !['entered-in-error', 'cancelled', 'registered'].includes(status))
    .map((observation) => ({ observation, time: timeOf(observation.effectiveDateTime ?? observation.issued) ?? 0 }))
    .sort((a, b) => b.time - a.time)
    .map(({ observation, time }) => {
      const name = nameOf(observation.code) ?? 'Result without a name';
      const current = !seen.has(name);
      seen.add(name);
      return { name, status: valueText(observation), current, detail: null, when: inWords(observation.effectiveDateTime), time };
    });
}

export function vaccinesIn(resources) {
  return inOrder(resources
    .filter(({ status }) => status === 'completed')
    .map((vaccine) => ({
      name: nameOf(vaccine.vaccineCode) ?? 'Vaccine without a name',
      status: 'Given',
      current: true,
      detail: null,
      when: inWords(vaccine.occurrenceDateTime),
      time: timeOf(vaccine.occurrenceDateTime),
    })));
}
