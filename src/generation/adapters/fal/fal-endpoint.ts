/**
 * A model endpoint of fal: `owner/app` with an optional sub-path, e.g. `fal-ai/flux/schnell`. It becomes part of
 * a URL, so nothing but plain segments passes: no dots alone, no query, no full URL.
 */
const ENDPOINT = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}(?:\/[a-zA-Z0-9](?:[a-zA-Z0-9_-]|\.(?!\.)){0,63}){1,5}$/;

/** These run several models behind one name, so that the cleared listing would not be what runs. */
const COMPOSED_NAMESPACES = new Set(['workflows', 'comfy']);

export function isFalEndpointId(text: string): boolean {
  const segments = text.split('/');
  return ENDPOINT.test(text) && !COMPOSED_NAMESPACES.has(segments[0] ?? '') && !segments.includes('requests');
}

/** fal's request ids are UUIDs today; they become part of a URL as well. */
export function isFalRequestId(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}$/.test(text);
}

/**
 * Whether the job address in an answer belongs to the endpoint that was asked. fal drops the sub-path there
 * (`fal-ai/flux/dev` -> `.../fal-ai/flux/requests/<id>`), though its documentation also shows it complete.
 * @param responseUrl the `response_url` of an answer, on whatever origin
 */
export function isJobAddressOf(endpoint: string, responseUrl: string): boolean {
  if (!URL.canParse(responseUrl)) return false;
  const [before] = new URL(responseUrl).pathname.split('/requests/');
  const app = endpoint.split('/').slice(0, 2).join('/');
  return [app, endpoint].some((name) => before?.endsWith(`/${name}`));
}
