import { type DynamicModule, Module } from '@nestjs/common';
import { NODE, type Node } from './node.js';
import { type Contact, CONTACT, StatusController } from './status.controller.js';

/** Everything of the process, flat. */
@Module({})
export class AppModule {
  static of(node: Node, contact: Contact): DynamicModule {
    return {
      module: AppModule,
      controllers: [StatusController],
      providers: [
        { provide: NODE, useValue: node },
        { provide: CONTACT, useValue: contact },
      ],
    };
  }
}
