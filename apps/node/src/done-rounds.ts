/** Rounds kept in mind: more than a coordinator ever has open. */
const CAPACITY = 10_000;

/** The rounds this process has answered and sent, so that reading the inbox again sends nothing twice. The oldest are forgotten. */
export class DoneRounds {
  private readonly rounds = new Set<string>();

  has(round: string): boolean {
    return this.rounds.has(round);
  }

  add(round: string): void {
    this.rounds.add(round);
    const [oldest] = this.rounds;
    if (this.rounds.size > CAPACITY && oldest !== undefined) this.rounds.delete(oldest);
  }
}
