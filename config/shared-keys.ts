/** Keys of SPIRE's that the server and the agent share, none of which has a meaning here, and why. */
import { absent } from './absent.ts'

/** Go's profiles, in Go's form: what reads them cannot read ours. */
const NO_PROFILES =
  'for the Go runtime; to profile this program start it with NODE_OPTIONS=--cpu-prof or --heap-prof'

export const profilingKeys = {
  profiling_enabled: absent('profiling', 'false', NO_PROFILES),
  profiling_freq: absent('seconds between profiles', '0', NO_PROFILES),
  profiling_names: absent('profiles to write', '[]', NO_PROFILES),
  profiling_port: absent('port of the profiler', '0', NO_PROFILES),
}

/** Of `feature_flags`. */
export const NO_FEATURES = 'refused: wit-svid, the only feature that there is, is not offered'
