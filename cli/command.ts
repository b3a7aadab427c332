/** A command: its flags, what help says of it, and what it does with a terminal and a clock. */
import type { Clock } from '../spiffe/clock.ts'
import type { Flags, FlagValues } from './flag/flag.ts'
import type { Terminal } from './terminal.ts'

export interface Session {
  readonly terminal: Terminal
  readonly clock: Clock
}

/** What a command takes beside flags. Flags may then stand before, between and after these words. */
export interface Words {
  /** As help shows it, e.g. `<file>`. */
  readonly usage: string
  /** `some`: one or more. */
  readonly count: number | 'some'
  /** What completion offers: these words, or files. */
  readonly choices: readonly string[] | 'files'
}

export interface Command<F extends Flags> {
  /** One line, as help lists it. */
  readonly summary: string
  /** Further lines for help, e.g. what the exit codes mean. */
  readonly details?: string
  /** Command lines that work as they stand, without the leading `steeple`. */
  readonly examples: readonly string[]
  readonly flags: F
  /** Undefined for a command of flags alone, which warns of words and ignores them as SPIRE does. */
  readonly words?: Words
  /**
   * @param words as many as the command wants
   * @returns the exit code
   * @throws IdentityError to be printed as it is, with exit code 1
   */
  run(values: FlagValues<F>, session: Session, words: readonly string[]): Promise<number>
}

/** A command whose flags are known by name only. */
export type AnyCommand = Command<Flags>

export function defineCommand<const F extends Flags>(command: Command<F>): AnyCommand {
  // Cast: `run` is only ever given values that were read by these very flags.
  return command as unknown as AnyCommand
}
