import { type DynamicModule, Module } from '@nestjs/common';
import { RotateKeysController, TURN_KEYS, type TurnKeys } from '#libs/nest-kit';
import { NODE, type Node } from './node.js';
import { DESK, type Desk, RequestsController } from './requests/requests.controller.js';
import { CONTACT, type Contact, StatusController } from './status.controller.js';

@Module({})
class AppModule {}

/** Everything of the process, flat, over what was opened at its start. */
export function appModule(
  node: Node,
  contact: Contact,
  desk: Desk,
  turnKeys: TurnKeys,
): DynamicModule {
  return {
    module: AppModule,
    controllers: [StatusController, RequestsController, RotateKeysController],
    providers: [
      { provide: NODE, useValue: node },
      { provide: CONTACT, useValue: contact },
      { provide: DESK, useValue: desk },
      { provide: TURN_KEYS, useValue: turnKeys },
    ],
  };
}
