/** One question as a trace over four processes, sent to a real OTLP receiver: one id from query to receipt, and nothing that a record could be known by. */
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { cellAt, cellToText, disk, domainFromCells } from '#libs/grid';
import { eventually } from './eventually.js';
import { Federation } from './federation.js';
import { ANALYST, AUDITOR, COORDINATOR } from './found-federation.js';
import { OtlpReceiver } from './otlp-receiver.js';
import { RunningProgram } from './program.js';
import { ServedProcess } from './served-process.js';
import { streetFile } from './street-file.js';

const AGENCY = 'alpha-police';
const cell = cellAt(51.4545, -2.5879, 9);
const running: ServedProcess[] = [];
let federation: Federation;
let receiver: OtlpReceiver;
const { OTEL_EXPORTER_OTLP_ENDPOINT: before } = process.env;
afterAll(async () => {
  if (before === undefined) delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  else process.env.OTEL_EXPORTER_OTLP_ENDPOINT = before;
  for (const one of running) await one.end('SIGKILL');
  await federation?.close();
  await receiver?.close();
});

it('goes from the question to the receipt under the id of the round', async () => {
  receiver = await OtlpReceiver.start();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url;
  federation = await Federation.open({
    agencies: [
      {
        id: AGENCY,
        domain: domainFromCells('test/alpha', disk(cell, 2)),
        files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell }]) },
      },
    ],
    serve: false,
  });
  federation.nowMs = Date.now();
  const start = async (app: 'auditor' | 'coordinator' | 'node', ...args: string[]) => {
    const served = new ServedProcess(app, ['serve', '--dir', ...args]);
    running.push(served);
    return { served, url: await served.ready };
  };
  const coordinator = await start('coordinator', federation.folder(COORDINATOR), '--port', '0');
  federation.url = coordinator.url;
  const dial = ['--coordinator', federation.url];
  await start('auditor', federation.folder(AUDITOR), ...dial);
  const node = await start('node', federation.folder(AGENCY), ...dial);
  const key = join(federation.dir, 'analyst.pem');
  const asked = new RunningProgram([
    ...['query', '--url', federation.url, '--analyst', ANALYST, '--key', key],
    ...['--categories', 'robbery', '--from', '2024-01', '--to', '2024-01', '--json'],
  ]);
  expect(await asked.ended).toEqual({ code: 0, signal: null });
  const { id: round } = JSON.parse(asked.stdout) as { id: string };

  const [{ id: release }] = (await (
    await fetch(new URL('/v1/releases', federation.url))
  ).json()) as [{ id: string }];
  const answer = await fetch(new URL('/graphql', federation.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: `{ concentration(releases: ["${release}"], category: "robbery", resolution: 9, waitSeconds: 20) { key } }`,
    }),
  });
  const { data } = (await answer.json()) as { data: { concentration: { key: string } } };
  const { key: layer } = data.concentration;

  const names = () => receiver.spans.map(({ service, name }) => `${service} ${name}`).sort();
  const wanted = [
    'concordat-cli question.ask',
    'concordat-coordinator contribution.take',
    'concordat-coordinator layer.compute',
    'concordat-coordinator round',
    'concordat-coordinator round.compose',
    'concordat-coordinator round.conclude',
    'concordat-coordinator round.open',
    'concordat-node answer.send',
    'concordat-node question.answer',
  ];
  const served = () => fetch(new URL(`/v1/layers/${layer}`, federation.url));
  await eventually(async () => expect((await served()).status).toBe(200));
  // what ends cleanly has sent everything
  await node.served.end('SIGTERM');
  await coordinator.served.end('SIGTERM');
  await eventually(() => expect(names()).toEqual(wanted));
  const ofRound = receiver.spans.filter(({ name }) => name !== 'layer.compute');
  expect(new Set(ofRound.map(({ traceId }) => traceId))).toEqual(new Set([round]));

  const span = (name: string) => receiver.spans.find((one) => one.name === name);
  expect(span('layer.compute')).toMatchObject({
    traceId: layer.slice(0, 32),
    attributes: { 'concordat.method': 'concentration' },
  });
  expect(span('layer.compute')?.parentSpanId ?? '').toBe('');
  const root = round.slice(16);
  expect(span('round')).toMatchObject({ spanId: root });
  expect(span('round')?.parentSpanId ?? '').toBe('');
  for (const name of ['round.open', 'question.answer', 'answer.send', 'question.ask'])
    expect([name, span(name)?.parentSpanId]).toEqual([name, root]);
  // over HTTP, in a signed request
  expect(span('contribution.take')?.parentSpanId).toBe(span('answer.send')?.spanId);

  // the last answer closed the round
  expect(span('round.conclude')?.parentSpanId).toBe(span('contribution.take')?.spanId);

  const attributes = new Set(receiver.spans.flatMap((one) => Object.keys(one.attributes)));
  expect([...attributes].sort()).toEqual(['concordat.method', 'concordat.phase']);
  const sent = receiver.bodies.join('\n');
  for (const secret of [AGENCY, 'robbery', '2024-01', cellToText(cell), federation.dir, 'analyst'])
    expect(sent.includes(secret) ? `sent ${secret}` : 'not sent').toBe('not sent');
});
