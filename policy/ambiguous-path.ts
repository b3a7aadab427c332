/**
 * Finds the paths that a next hop may read differently from us: it decodes once more, or removes dot segments where
 * we saw ordinary text, and a policy on the one reading says nothing about the other. Such requests are refused (400)
 * unless `refuseAmbiguousPaths` is off.
 */
import { normalizePath, type PathNormalization } from './normalize-path.ts'

/**
 * Why a normalised path is ambiguous, or undefined when every hop reads the same. The reason repeats nothing of the
 * path. Escaped slashes alone are accepted: they are how names with slashes are written.
 */
export function ambiguityOf(option: PathNormalization, path: string): string | undefined {
  const decoded = decodeAll(path)
  if (/%[0-9a-fA-F]{2}/.test(decoded)) return 'the path is percent-encoded twice'
  if (decoded.split(/[/\\]/).some((segment) => /^\.\.?(;|$)/.test(segment))) {
    return 'the path has a dot segment that only another decoding shows'
  }
  if (option === 'NONE') return undefined
  const again = normalizePath(option, path)
  if (again.kind === 'path' && again.path === path) return undefined
  return 'the path changes when it is normalized again'
}

const decodeAll = (path: string): string =>
  path.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
