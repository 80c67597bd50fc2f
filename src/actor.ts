/** Who does it, in the words of a switch. */
export interface Actor {
  readonly tenant: string | null;
  readonly feature: string | null;
  readonly agent: string;
  readonly run: string;
}
