import { Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { holdsToken } from '#libs/nest-kit';
import { NODE, type Node } from './node.js';
import { DESK, type Desk } from './requests/requests.controller.js';

/** Injection token of what replaces the node's signing key. */
export const TURN_KEY = Symbol('TurnKey');

/** Resolves once the new key is in force here. */
export type TurnKey = () => Promise<void>;

/** For the agency's own operator, on loopback and with the token of the folder. */
@Controller('v1/rotate-key')
export class KeyController {
  constructor(
    @Inject(NODE) private readonly node: Node,
    @Inject(DESK) private readonly desk: Pick<Desk, 'token'>,
    @Inject(TURN_KEY) private readonly turnKey: TurnKey,
  ) {}

  @Post()
  @HttpCode(200)
  async rotate(
    @Headers('authorization') authorization?: string,
  ): Promise<{ publicKey: string; serial: number }> {
    if (!holdsToken(authorization, this.desk.token)) {
      throw new ConcordatError('bad-token', 'this needs the token in the folder of the node');
    }
    await this.turnKey();
    return { publicKey: this.node.key.publicKey, serial: this.node.manifest.serial };
  }
}
