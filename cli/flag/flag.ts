/** What a flag is: how its text is read, what it is when nobody gives it, and what help says of it. */

export interface Flag<T> {
  /** One line for help; units where there are any. */
  readonly summary: string
  /** What stands for the value in help; undefined for a boolean, which needs none. */
  readonly placeholder: string | undefined
  readonly initial: T
  /** Shown in help as the default. */
  readonly defaultText: string | undefined
  /** What completion offers as its value: these words, or files. */
  readonly choices?: readonly string[] | 'files'
  /** Help says that the command does nothing without it. */
  readonly required?: boolean
  /** An environment variable that counts when the flag is not given, and what it is to the flag. */
  readonly variable?: { readonly name: string; readonly summary: string }
  /**
   * @param previous what the flag was before: given flags add up in lists
   * @throws IdentityError REQUEST_INVALID with the reason that Go's flag package gives
   */
  read(text: string, previous: T): T
}

export type Flags = Readonly<Record<string, Flag<unknown>>>

export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never
}
