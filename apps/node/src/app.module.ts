import { type DynamicModule, Module } from '@nestjs/common';
import { NODE, type Node } from './node.js';
import { DESK, type Desk, RequestsController } from './requests/requests.controller.js';
import { CONTACT, type Contact, StatusController } from './status.controller.js';

@Module({})
class AppModule {}

/** Everything of the process, flat, over what was opened at its start. */
export function appModule(node: Node, contact: Contact, desk: Desk): DynamicModule {
  return {
    module: AppModule,
    controllers: [StatusController, RequestsController],
    providers: [
      { provide: NODE, useValue: node },
      { provide: CONTACT, useValue: contact },
      { provide: DESK, useValue: desk },
    ],
  };
}
