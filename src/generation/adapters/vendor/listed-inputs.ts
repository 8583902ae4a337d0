const LISTED = /^(.+)__[1-9][0-9]?$/;

/** `image_urls__2` is the second file of the list `image_urls`; any other name is that of a single file. */
export function parameterOfInput(name: string): string {
  return LISTED.exec(name)?.[1] ?? name;
}

/** Puts the address of an uploaded file where the vendor's model looks for it: alone, or next in its list. */
export function placeAddress(
  addresses: Record<string, string | string[]>,
  name: string,
  address: string,
): void {
  const parameter = parameterOfInput(name);
  if (parameter === name) {
    addresses[name] = address;
    return;
  }
  const list = addresses[parameter];
  addresses[parameter] = Array.isArray(list) ? [...list, address] : [address];
}
