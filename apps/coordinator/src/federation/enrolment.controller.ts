import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import { clientLeft, holdsToken, RequestVerifier, type SignedFastifyRequest } from '#libs/nest-kit';
import { EnrolmentPost, type ManifestSteps, SignedRotation } from '#libs/protocol';
import { OFFICE } from './office.js';
import { type Office, Operation, perform } from './operations.js';

/** Injection token of the secret in the coordinator's `control.json`. */
export const CONTROL_TOKEN = Symbol('ControlToken');

const MAX_WAIT_SECONDS = 25;
/** Steps in one answer; who is further behind asks again. */
const MAX_STEPS = 200;

const Cursor = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  wait: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(0),
});

/** How members come into the federation and hear of its manifests, and what the operator does about it. */
@Controller('v1')
export class EnrolmentController {
  constructor(
    @Inject(OFFICE) private readonly office: Office,
    @Inject(RequestVerifier) private readonly verifier: RequestVerifier,
    @Inject(CONTROL_TOKEN) private readonly controlToken: string,
  ) {}

  /** The newest manifest, as the coordinator signed it. */
  @Get('manifest')
  manifest(): object {
    return this.succession().signed();
  }

  /** Every manifest since the founding, as `manifest.json` holds them. */
  @Get('manifest/history')
  history(): object {
    return this.succession().file();
  }

  /** The steps after a serial number; waits for a first one. */
  @Get('manifests')
  async manifests(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() query: unknown,
  ): Promise<ManifestSteps> {
    const cursor = Cursor.safeParse(query);
    if (!cursor.success)
      throw new ConcordatError('malformed-message', 'after and wait are integers');
    const { after, wait } = cursor.data;
    await this.office.succession.after(after, wait * 1000, clientLeft(reply));
    return { version: 1, steps: this.succession().stepsAfter(after).slice(0, MAX_STEPS) };
  }

  /** An agency asks to be enrolled: signed by the key that it brings. */
  @Post('enrolments')
  @HttpCode(202)
  async enrol(@Req() request: SignedFastifyRequest): Promise<{ agency: string }> {
    const parsed = EnrolmentPost.safeParse(parseCanonicalJson(request.rawBody ?? new Uint8Array()));
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not an enrolment');
    const { agency } = parsed.data.enrolment.payload;
    // A stranger without a token is sent away before a signature is computed or a nonce kept for them.
    if (this.office.desk.knowsToken(parsed.data.token)) {
      this.verifier.verifyBuffered(request, (id) =>
        id === agency.id ? agency.publicKey : undefined,
      );
    }
    await this.office.desk.receive(parsed.data);
    return { agency: agency.id };
  }

  /** A process changes its key: signed by the key that it has. */
  @Post('rotations')
  @HttpCode(204)
  async rotate(@Req() request: SignedFastifyRequest): Promise<void> {
    const sender = this.verifier.verifyBuffered(request);
    const parsed = SignedRotation.safeParse(
      parseCanonicalJson(request.rawBody ?? new Uint8Array()),
    );
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not a rotation of a key');
    if (parsed.data.rotation.payload.process !== sender)
      throw new ConcordatError('wrong-agency', 'a process speaks for itself only');
    await this.office.succession.publish({ kind: 'rotated', rotation: parsed.data });
  }

  /** For the coordinator's operator, with the secret in its folder. */
  @Post('operations/:name')
  @HttpCode(200)
  async operate(
    @Param('name') name: string,
    @Body() body: unknown,
    @Headers('authorization') authorization?: string,
  ): Promise<object> {
    if (!holdsToken(authorization, this.controlToken))
      throw new ConcordatError(
        'bad-token',
        'this needs the token in the folder of the coordinator',
      );
    const parsed = Operation.safeParse({ ...(body as object), operation: name });
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not an operation');
    return perform(this.office, parsed.data);
  }

  private succession() {
    const { succession } = this.office.coordinator.federation;
    if (!succession) throw new ConcordatError('not-found', 'this federation does not change');
    return succession;
  }
}
