/**
 * Puts environment variables into a configuration text, for the `-expandEnv` flag: `$NAME` and
 * `${NAME}`, as Go's os.Expand reads them, and `$$` for a dollar sign. A name that is not set
 * becomes empty.
 */

/** In order: `${*}` and its like, `${NAME}`, an unclosed `${`, `$*` and its like, `$NAME`. */
const REFERENCE =
  /\$(?:\{([*#$@!?\-0-9])\}|\{([^}]*)\}|\{|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))/g

export function expandEnv(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(
    REFERENCE,
    (_, special?: string, braced?: string, bareSpecial?: string, bare?: string) => {
      const name = special ?? braced ?? bareSpecial ?? bare ?? ''
      if (name === '$') return '$'
      return Object.hasOwn(env, name) ? (env[name] ?? '') : ''
    },
  )
}
