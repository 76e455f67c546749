import { Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { holdsToken } from './control-file.js';

/** Injection token of what replaces the keys of a process. */
export const TURN_KEYS = Symbol('TurnKeys');

export interface TurnedKeys {
  readonly publicKey: string;
  readonly boxKey: string;
  /** Of the manifest that names them. */
  readonly serial: number;
}

export interface TurnKeys {
  /** Of the folder's control.json. */
  readonly token: string;
  /** Resolves once the new keys are in force here. */
  readonly turn: () => Promise<TurnedKeys>;
}

/** For the process's own operator, with the token in its folder. */
@Controller('v1/rotate-key')
export class RotateKeysController {
  constructor(@Inject(TURN_KEYS) private readonly keys: TurnKeys) {}

  @Post()
  @HttpCode(200)
  rotate(@Headers('authorization') authorization?: string): Promise<TurnedKeys> {
    if (!holdsToken(authorization, this.keys.token)) {
      throw new ConcordatError('bad-token', 'this needs the token in the folder of the process');
    }
    return this.keys.turn();
  }
}
