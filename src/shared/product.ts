/** How the product names itself in manifests, reports and protocol headers. */
export const PRODUCT_NAME = 'Colophon';
export const PRODUCT_VERSION = '0.1.0';
