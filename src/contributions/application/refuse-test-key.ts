import { type Asset } from '../../assets/domain/asset.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';

/** @throws ColophonError `wrong_mode` */
export function refuseTestKey(principal: Principal, asset: Asset): void {
  if (principal.mode === 'test' && asset.mode === 'live')
    throw new ColophonError('wrong_mode', 'The asset was made with a live key.');
}
