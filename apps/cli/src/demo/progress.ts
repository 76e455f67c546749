import { MultiBar, Presets, type SingleBar } from 'cli-progress';

const PART_EVERY_MS = 2_000;

/** What the demo says while it works: always on stderr, bars on a terminal and plain lines elsewhere. */
export class Progress {
  private readonly startedMs = performance.now();
  private partSaidMs = 0;
  private bars: MultiBar | undefined;
  private readonly rows = new Map<string, SingleBar>();

  /** One line about what begins or is done. */
  say(text: string): void {
    const seconds = ((performance.now() - this.startedMs) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds} s  ${text}\n`);
  }

  /** Shows how far an agency's ingest is, by files. */
  ingest(agency: string, file: number, fileCount: number, rows: number): void {
    if (!process.stderr.isTTY) return;
    this.bars ??= new MultiBar(
      {
        stream: process.stderr,
        clearOnComplete: true,
        hideCursor: true,
        format: '          {agency} |{bar}| file {value} of {total}, {rows} rows',
      },
      Presets.shades_grey,
    );
    const payload = { agency: agency.padEnd(26), rows };
    const bar = this.rows.get(agency) ?? this.bars.create(fileCount, file, payload);
    this.rows.set(agency, bar);
    bar.update(file, payload);
  }

  /** Says how much of something long is done, at most every two seconds. */
  part(what: string, done: number, total: number): void {
    const nowMs = performance.now();
    if (nowMs - this.partSaidMs < PART_EVERY_MS || done === total) return;
    this.partSaidMs = nowMs;
    this.say(`${what}: ${Math.floor((100 * done) / total)} %`);
  }

  ingested(): void {
    this.bars?.stop();
    this.bars = undefined;
  }
}
