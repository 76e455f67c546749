import { Controller, Get, Inject } from '@nestjs/common';
import { NODE, type Node } from './node.js';

/** Injection token of what the inbox loop knows of the coordinator. */
export const CONTACT = Symbol('Contact');

export interface Contact {
  lastContactMs(): number | undefined;
  /** The coordinator's clock minus this one. */
  clockSkewSeconds(): number | undefined;
  /** Why this log is closed for good: witnesses have seen more of it, or another one. */
  logRefusal(): string | undefined;
}

/** For the agency's own operators, on loopback: which policy is in force, when was the last contact. */
@Controller()
export class StatusController {
  constructor(
    @Inject(NODE) private readonly node: Node,
    @Inject(CONTACT) private readonly contact: Contact,
  ) {}

  @Get('v1/status')
  status(): object {
    const lastContactMs = this.contact.lastContactMs();
    return {
      agency: this.node.agency.id,
      manifest: this.node.manifestHash,
      policyDigest: this.node.policyDigest,
      log: {
        origin: this.node.logOrigin,
        size: String(this.node.journal.size),
        closedBy: this.contact.logRefusal() ?? null,
      },
      lastContactAt: lastContactMs === undefined ? null : new Date(lastContactMs).toISOString(),
      clockSkewSeconds: this.contact.clockSkewSeconds() ?? null,
    };
  }
}
