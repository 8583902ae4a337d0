// The secret stands behind "#", which a browser sends to no server. It is taken out of the address bar, so that it does
// not stay in the history, and sent in a header.
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
const headers = { authorization: `Bearer ${token}` };
const status = document.querySelector('#status');
const table = document.querySelector('#reports');
const KINDS = { asset: 'Dossier', campaign: 'Campaign report', model: 'Model file', period: 'Log export' };
const FORMATS = { pdf: 'PDF', json: 'JSON', jws: 'signed JSON', bundle: 'evidence bundle', csv: 'CSV' };

function cell(text, className) {
  const element = document.createElement('td');
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function row(report) {
  const line = document.createElement('tr');
  const button = document.createElement('button');
  button.textContent = 'Download';
  button.addEventListener('click', () => void download(report, button));
  const action = document.createElement('td');
  action.append(button);
  line.append(
    cell(`${KINDS[report.kind] ?? report.kind}, ${FORMATS[report.format] ?? report.format}`),
    cell(new Date(report.createdAt).toISOString().replace('T', ' ').slice(0, 16) + ' UTC'),
    cell(`${Number(report.sizeBytes).toLocaleString('en-US')} bytes`),
    cell(report.sha256, 'hash'),
    action,
  );
  return line;
}

async function ask(path) {
  const answer = await fetch(path, { headers, cache: 'no-store' });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The server answered ${answer.status}.`);
}

async function download(report, button) {
  button.disabled = true;
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
  }
}

async function show() {
  try {
    const { items, expiresAt } = await (await ask('/v1/shared')).json();
    const until = new Date(expiresAt).toISOString().replace('T', ' ').slice(0, 16);
    status.textContent =
      items.length === 0
        ? 'No report has been made yet.'
        : `This link opens these reports until ${until} UTC.`;
    for (const report of items) table.tBodies[0].append(row(report));
    table.hidden = items.length === 0;
  } catch (error) {
    status.textContent = error.message;
  }
}

void show();
