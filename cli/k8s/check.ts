/** What the doctor of a cluster says: one check for each thing that it looks at, with what is wrong and what to do. */
import { IdentityError } from '../../spiffe/error.ts'

export interface Finding {
  /** A problem is not healthy; a warning soon will not be, or is unusual. */
  readonly severity: 'problem' | 'warning'
  readonly subject: string
  readonly problem: string
  /** What to do, as a sentence or a command line. */
  readonly remedy: string
}

export interface Examined {
  /** What there is, in a few words, e.g. `2 of 2 pods are ready`. */
  readonly seen: string
  readonly findings: readonly Finding[]
}

export interface Check extends Examined {
  /** Of what was looked at, e.g. `trust bundle`. */
  readonly name: string
  /** Why it could not be looked at; undefined: it was. */
  readonly unexamined: string | undefined
}

/** Of one check; a reader who has done what these say looks again. */
const MAX_FINDINGS = 20

/** Looks at one thing. What the cluster refuses to show or does not have is said of this thing alone. */
export async function check(name: string, examine: () => Promise<Examined>): Promise<Check> {
  try {
    const { seen, findings } = await examine()
    return { name, seen, findings: bounded(findings), unexamined: undefined }
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { name, seen: '', findings: [], unexamined: error.message }
  }
}

function bounded(findings: readonly Finding[]): readonly Finding[] {
  // The sort is stable: problems first, else as they were found.
  const sorted = findings.toSorted((a, b) => weight(a) - weight(b))
  const more = sorted.length - MAX_FINDINGS
  if (more <= 0) return sorted
  const last = sorted[MAX_FINDINGS]
  return last === undefined
    ? sorted
    : [
        ...sorted.slice(0, MAX_FINDINGS),
        {
          ...last,
          subject: 'more',
          problem: `${more} more are alike`,
          remedy: 'as for those above',
        },
      ]
}

const weight = ({ severity }: Finding) => (severity === 'problem' ? 0 : 1)

/** 0: healthy; 2: not healthy; 1: nothing is known to be wrong, but not everything could be looked at. */
export function exitCodeOf(checks: readonly Check[]): number {
  const findings = checks.flatMap((one) => one.findings)
  if (findings.some(({ severity }) => severity === 'problem')) return 2
  return checks.some(({ unexamined }) => unexamined !== undefined) ? 1 : 0
}
