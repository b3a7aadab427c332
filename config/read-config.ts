/** Reads a whole configuration file, with the flags that override it: all of it, or every mistake at once. */
import type { Context, Keys, Read, Section } from './check.ts'
import { expandEnv } from './expand-env.ts'
import { type Flag, overlayFlags } from './flags.ts'
import { newReport, type Report, throwMistakes } from './mistake.ts'
import { parseConfig } from './parse.ts'

export interface ConfigFile {
  /** The file's name decides its format, and is shown with every mistake. */
  readonly path: string
  readonly text: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads another file that this one names. */
  readonly readText: Context['readText']
}

export interface Overrides {
  /** The section whose keys the flags override. */
  readonly section: string
  readonly flags: readonly Flag[]
  /** Whether `$NAME` in the text stands for a variable of the environment. */
  readonly expandsEnv: boolean
}

/** @throws IdentityError CONFIG_INVALID listing every mistake, one on each line */
export function readConfig<S extends Keys>(
  keys: Section<S>,
  { path, text, env, readText }: ConfigFile,
  { section, flags, expandsEnv }: Overrides,
): { readonly read: Read<S>; readonly report: Report } {
  const expanded = expandsEnv ? expandEnv(text, env) : text
  const root = overlayFlags(parseConfig(path, expanded), section, flags)
  const report = newReport()
  const found = [{ key: '', value: root, place: root.place }]
  const read = keys.read(found, { name: '', place: root.place }, { report, readText })
  throwMistakes(report)
  if (read === undefined) throw new Error('a configuration without mistakes was not read')
  return { read, report }
}
