// The page itself: making elements, its state, and how a problem is put to the reader.

import { Problem } from './problem.js';

const SVG = 'http://www.w3.org/2000/svg';

export const byId = (id) => document.getElementById(id);

const TITLE = document.title;

/** Puts what is on the page before the app's name. */
export function entitle(what) {
  document.title = what ? `${what} – ${TITLE}` : TITLE;
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  // append() turns strings into text nodes: what a server sends can never become markup.
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

/** An HTML element. Attributes only, so no handler and no inline style can slip in. */
export const element = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

/** An SVG element. */
export const drawn = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

/** `start`, `working`, `ready` or `error`: for the style sheet, and for whoever automates the page. */
export function setState(state) {
  document.body.dataset.state = state;
  byId('main').setAttribute('aria-busy', String(state === 'working'));
}

/** What the page is doing, said aloud by a screen reader and shown while there is nothing else. */
export function say(text) {
  const progress = byId('progress');
  if (progress) progress.textContent = text;
}

export function showProblem(cause) {
  const problem = cause instanceof Problem
    ? cause
    : new Problem('Something went wrong in this app', 'That should not have happened. Going back to the start usually helps.', cause?.name ?? '');
  // On a page with nothing else to show, this is its heading.
  const alone = ![...document.querySelectorAll('h1')].some((heading) => heading.checkVisibility());
  const children = [element(alone ? 'h1' : 'h2', {}, problem.title)];
  if (problem.advice) children.push(element('p', {}, problem.advice));
  if (problem.technical) {
    children.push(element('p', { class: 'technical' }, 'The server said: ', element('code', {}, problem.technical)));
  }
  if (!byId('connect')) {
    children.push(element('p', {}, element('a', { class: 'button', href: 'index.html' }, 'Back to the start')));
  }
  say('');
  const box = byId('error');
  // Shown first and filled second: an alert that is filled while hidden is not always announced.
  box.hidden = false;
  box.replaceChildren(...children);
  setState('error');
}

export function clearProblem() {
  byId('error').hidden = true;
  byId('error').replaceChildren();
}

/**
 * The pages say "synthetic" before any script runs. Only a configuration that does not vouch for
 * that changes the words, because the promise would then be this app's alone.
 */
export function labelData(config) {
  if (config.synthetic) return;
  for (const node of document.querySelectorAll('[data-promise]')) {
    node.textContent = 'Sample app. Use it with synthetic records only.';
  }
}

/** Runs a page, or a press of a button, and puts to the reader whatever goes wrong. */
export async function guarded(work) {
  try {
    await work();
  } catch (cause) {
    showProblem(cause);
  }
}
