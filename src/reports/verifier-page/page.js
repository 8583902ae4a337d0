import { readStoredZip } from './read-zip.js';
import { verifyFiles } from './verify-files.js';

// Texts of a bundle reach the page as text alone; the policy of the page forbids everything else, and all network.
const MAX_BYTES = 1024 * 1024 * 1024;
const WORDS = { yes: 'Yes', no: 'NO', not_checked: 'Not checked' };
const VERDICTS = {
  holds:
    '\u2713 Every check of this page passed. Later entries of the log, such as a recall, are not in the bundle.',
  unproved: '\u2717 Nothing in it is wrong, but who made it is not proved: see below what was not checked.',
  does_not_hold: '\u2717 This evidence does not hold: see below what is wrong.',
};
const input = document.querySelector('#bundle');
const zone = document.querySelector('#drop');
const result = document.querySelector('#result');
const verdict = document.querySelector('#verdict');

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function filesOf(list) {
  const total = [...list].reduce((sum, { size }) => sum + size, 0);
  if (total > MAX_BYTES) throw new Error('More than 1 GiB: use the command in VERIFY.md.');
  if (list.length === 1) return readStoredZip(new Uint8Array(await list[0].arrayBuffer()));
  // A chosen folder: the first part of each path is its name.
  const files = new Map();
  for (const file of list) {
    const path = file.webkitRelativePath.split('/').slice(1).join('/') || file.name;
    files.set(path, new Uint8Array(await file.arrayBuffer()));
  }
  return files;
}

async function check(list) {
  if (list.length === 0) return;
  result.hidden = false;
  verdict.className = '';
  verdict.textContent = 'Checking ...';
  document.querySelector('#checks').replaceChildren();
  document.querySelector('#about').replaceChildren();
  try {
    show(await verifyFiles(await filesOf(list), document.querySelector('#vkey').value));
  } catch (error) {
    verdict.className = 'no';
    verdict.textContent = `\u2717 Nothing can be said. ${error.message}`;
  }
}

function show({ verdict: answer, about, checks }) {
  verdict.className = answer === 'holds' ? 'yes' : 'no';
  verdict.textContent = VERDICTS[answer];
  for (const [label, value] of about) {
    const row = element('tr');
    const head = element('th', label);
    head.scope = 'row';
    row.append(head, element('td', value));
    document.querySelector('#about').append(row);
  }
  for (const { state, text, faults } of checks) {
    const item = element('li');
    item.append(element('strong', `${WORDS[state]}: `, state), element('span', text));
    if (faults.length > 0) {
      const list = element('ul');
      for (const fault of faults) list.append(element('li', fault));
      item.append(list);
    }
    document.querySelector('#checks').append(item);
  }
}

for (const chosen of [input, document.querySelector('#folder')])
  chosen.addEventListener('change', () => void check(chosen.files));
zone.addEventListener('dragover', (event) => event.preventDefault());
zone.addEventListener('drop', (event) => {
  event.preventDefault();
  void check(event.dataTransfer.files);
});
