/** The flags of `run` that stand for keys of the file, and win over them. */
import type { Flag } from '../../config/flags.ts'
import type { ProxyFlags } from '../config.ts'

export function flagsOf(flags: ProxyFlags): readonly Flag[] {
  return [
    { flag: '-accessLog', key: 'access_log', value: flags.accessLog },
    { flag: '-logFile', key: 'log_file', value: flags.logFile },
    { flag: '-logFormat', key: 'log_format', value: flags.logFormat },
    { flag: '-logLevel', key: 'log_level', value: flags.logLevel },
    { flag: '-policyDir', key: 'policy_dir', value: flags.policyDir },
    { flag: '-trustDomain', key: 'trust_domain', value: flags.trustDomain },
    { flag: '-workloadAPISocket', key: 'workload_api_socket', value: flags.workloadApiSocket },
  ]
}
