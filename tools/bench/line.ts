/** One figure of a bench; `npm run bench` prints it as one line of JSON. */
export interface Line {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  /** What the same work was measured against in the same run, and how many times faster or better than that it is. */
  readonly peer?: string;
  readonly ratio?: number;
}

/** What a bench hands its figures to, as soon as it has them. */
export type Emit = (line: Line) => void;
