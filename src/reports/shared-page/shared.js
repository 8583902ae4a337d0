// The secret stands behind "#", which a browser sends to no server. It is taken out of the address bar, so that it does
// not stay in the history, and sent in a header. A reload asks for the link again.
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
const headers = { authorization: `Bearer ${token}` };
const find = (selector) => document.querySelector(selector);
const status = find('#status');
const KINDS = { asset: 'Dossier', campaign: 'Campaign report', model: 'Model file', period: 'Log export' };
const FORMATS = { pdf: 'PDF', json: 'JSON', jws: 'signed JSON', bundle: 'evidence bundle', csv: 'CSV' };

/** As on the start page: what would turn around, cover or hide the words beside it. */
const REWRITING = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/** Texts of strangers become text and nothing else. */
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function day(time) {
  return new Date(time).toISOString().replace('T', ' ').slice(0, 16) + ' UTC';
}

function size(bytes) {
  const kibibytes = Number(bytes) / 1024;
  return kibibytes < 1024
    ? `${Math.max(1, Math.round(kibibytes))} KiB`
    : `${(kibibytes / 1024).toFixed(1)} MiB`;
}

function item(report) {
  const name = `${KINDS[report.kind] ?? report.kind}, ${FORMATS[report.format] ?? report.format}`;
  const what = element('div', 'what', '');
  what.append(
    element('h2', 'name', name),
    element('p', 'facts', `Made ${day(report.createdAt)}, ${size(report.sizeBytes)}`),
    element('p', 'hash', `SHA-256 ${report.sha256}`),
  );
  const button = element('button', '', 'Download');
  button.type = 'button';
  button.setAttribute('aria-label', `Download: ${name}, made ${day(report.createdAt)}`);
  button.addEventListener('click', () => void download(report, button));
  const line = document.createElement('li');
  line.append(what, button);
  return line;
}

async function ask(path) {
  const answer = await fetch(path, { headers, cache: 'no-store' });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(
    [problem.detail ?? `The server answered ${answer.status}.`, problem.howToFix].filter(Boolean).join(' '),
  );
}

async function download(report, button) {
  button.disabled = true;
  button.textContent = 'Downloading ...';
  try {
    const blob = await (await ask(report.contentUrl)).blob();
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `${report.id}.${report.format === 'bundle' ? 'zip' : report.format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    status.textContent = error.message;
  } finally {
    button.disabled = false;
    button.textContent = 'Download';
  }
}

async function show() {
  try {
    const { items, expiresAt, organization, about } = await (await ask('/v1/shared')).json();
    const named = about ? `${organization.name}: ${about.title}` : organization.name;
    find('#about').textContent = named.replace(REWRITING, '\ufffd');
    find('#about').hidden = false;
    status.textContent =
      items.length === 0
        ? 'No report has been made yet.'
        : `This link opens these reports until ${day(expiresAt)}.`;
    find('#reports').append(...items.map(item));
    find('#reports').hidden = items.length === 0;
    find('#help').hidden = items.length === 0;
  } catch (error) {
    status.textContent = error.message;
  }
}

void show();
