/** How a model of Google is asked. */
export type GoogleModelKind = 'image' | 'video';

const IMAGE =
  /^(?:gemini-[a-z0-9.-]{1,40}image[a-z0-9.-]{0,20}|gemini-nano-banana-[a-z0-9.-]{1,20}|nano-banana-pro-preview)$/;
const VIDEO = /^veo-[a-z0-9.-]{1,40}$/;

/** `undefined` for what the Gemini API does not have, and for what could be another address. */
export function googleModelKind(endpoint: string): GoogleModelKind | undefined {
  if (endpoint.includes('..')) return undefined;
  if (IMAGE.test(endpoint)) return 'image';
  return VIDEO.test(endpoint) ? 'video' : undefined;
}

/** Imagen is answered by Vertex AI only, and the client refuses it on the Gemini API. */
export function isImagen(endpoint: string): boolean {
  return /^(?:imagen-|imagegeneration)/.test(endpoint);
}
