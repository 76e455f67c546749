import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { holdsToken } from '#libs/nest-kit';
import { NODE, type Node } from '../node.js';
import { approveRequest, denyRequest, expireRequests } from './decide-request.js';
import type { Hold } from './hold-book.js';
import { type RequestView, viewRequest } from './request-view.js';

/** Injection token of what the controller needs besides the node. */
export const DESK = Symbol('Desk');

export interface Desk {
  readonly token: string;
  /** Called after a decision: tasks that waited for it are taken again. */
  onDecision(): void;
}

const Approval = z.strictObject({ by: z.string() });
const Denial = z.strictObject({ by: z.string(), reason: z.string() });

/** For the agency's own staff, on loopback and with the token of the folder: held questions and the decisions on them. */
@Controller('v1/requests')
export class RequestsController {
  constructor(
    @Inject(NODE) private readonly node: Node,
    @Inject(DESK) private readonly desk: Desk,
  ) {}

  @Get()
  list(@Headers('authorization') authorization?: string): { requests: RequestView[] } {
    this.authorise(authorization);
    return { requests: [...this.node.holds.byId.values()].map((hold) => this.view(hold)) };
  }

  @Post(':id/approve')
  @HttpCode(200)
  async approve(
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('authorization') authorization?: string,
  ): Promise<RequestView> {
    this.authorise(authorization);
    const { by } = this.read(Approval, body);
    await this.expire();
    return this.decided(await approveRequest(this.node, id, by));
  }

  @Post(':id/deny')
  @HttpCode(200)
  async deny(
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('authorization') authorization?: string,
  ): Promise<RequestView> {
    this.authorise(authorization);
    const { by, reason } = this.read(Denial, body);
    await this.expire();
    return this.decided(await denyRequest(this.node, id, by, reason));
  }

  private authorise(header: string | undefined): void {
    if (!holdsToken(header, this.desk.token)) {
      throw new ConcordatError('bad-token', 'this needs the token in the folder of the node');
    }
  }

  /** The rounds of requests that end here hear of it too: the node's own sweep will find nothing left to end. */
  private async expire(): Promise<void> {
    if ((await expireRequests(this.node)) > 0) this.desk.onDecision();
  }

  private read<T>(schema: z.ZodType<T>, body: unknown): T {
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not a decision message');
    return parsed.data;
  }

  private decided(hold: Hold): RequestView {
    if (hold.state !== 'waiting') this.desk.onDecision();
    return this.view(hold);
  }

  private view(hold: Hold): RequestView {
    return viewRequest(hold, new Date(this.node.nowMs()).toISOString());
  }
}
