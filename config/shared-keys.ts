/** Sections of SPIRE's that the server and the agent share, none of them implemented yet. */
import { absent } from './absent.ts'

export const profilingKeys = {
  profiling_enabled: absent('profiling', 'false'),
  profiling_freq: absent('seconds between profiles', '0'),
  profiling_names: absent('profiles to write', '[]'),
  profiling_port: absent('port of the profiler', '0'),
}
