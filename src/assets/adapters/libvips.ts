import sharp from 'sharp';

/**
 * The one place where libvips is configured; everything else imports `sharp` from here.
 *
 * Cache off: libvips keys its operation cache by file name, so a file that is replaced under the same path could be
 * answered with old pixels; and a server that sees every picture once only pays memory for it (and keeps pixels of
 * one organization around while it works for another).
 *
 * One thread per operation: runs are parallel already, and many small threads of one picture fragment the heap of
 * glibc. Memory of one operation then has a bound that can be stated.
 */
sharp.cache(false);
sharp.concurrency(1);

export { sharp };
