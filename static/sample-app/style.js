// The looks of the record system: `smart_style_url` of an EHR launch (SMART App Launch 2.2,
// "Styling"), a small JSON file of colours. What is missing or no colour is left as it is.

import { isSafeAddress } from './config.js';

const TIMEOUT_MS = 5_000;

const colour = (value) => (typeof value === 'string' && CSS.supports('color', value) ? value : null);

/** Puts on the record system's colours, where it sent any. Looks are never worth an error. */
export async function wear(address) {
  if (!isSafeAddress(address)) return;
  let style;
  try {
    const init = { credentials: 'omit', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(TIMEOUT_MS) };
    style = await (await fetch(address, init)).json();
  } catch {
    return;
  }
  const [paper, ink] = [colour(style?.color_background), colour(style?.color_text)];
  const root = document.documentElement;
  const set = (name, value) => value && root.style.setProperty(name, value);
  // One without the other could be ink on paper of its own colour.
  if (paper && ink) {
    root.dataset.style = 'theirs';
    set('--paper', paper);
    set('--ink', ink);
    set('--accent', colour(style.color_highlight));
    set('--alert-rule', colour(style.color_error));
  }
}
