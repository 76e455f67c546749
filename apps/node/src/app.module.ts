import { type DynamicModule, Module } from '@nestjs/common';
import { KeyController, TURN_KEY, type TurnKey } from './key.controller.js';
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
  turnKey: TurnKey,
): DynamicModule {
  return {
    module: AppModule,
    controllers: [StatusController, RequestsController, KeyController],
    providers: [
      { provide: NODE, useValue: node },
      { provide: CONTACT, useValue: contact },
      { provide: DESK, useValue: desk },
      { provide: TURN_KEY, useValue: turnKey },
    ],
  };
}
