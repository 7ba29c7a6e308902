// SPDX-License-Identifier: Apache-2.0
// The table of commands in help order, and the table of options.
#include "commands.hpp"

#include <algorithm>

namespace kubelet_sysctl::cli {

const std::vector<const Command*>& all_commands() {
  static const std::vector<const Command*> commands = {
      &kShowCommand,    &kExplainCommand, &kCheckCommand,   &kDoctorCommand,
      &kAddCommand,     &kRemoveCommand,  &kSetCommand,     &kSyncCommand,
      &kHistoryCommand, &kUndoCommand,    &kRecoverCommand, &kKeepCommand};
  return commands;
}

const Command* find_command(std::string_view name) {
  const auto& commands = all_commands();
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [name](const Command* one) { return one->name == name; });
  return found == commands.end() ? nullptr : *found;
}

const std::vector<OptionRow>& all_options() {
  static const std::vector<OptionRow> options = {
      {kTakesFromFile, "-f", "--from-file", "FILE",
       "read entries from FILE, one a line, '#' begins a comment; for\n'check' pods, from a "
       "manifest; for 'sync' the wished list.\n'-' is standard input"},
      {kTakesVia, "", "--via", "auto|config|args",
       "where to write: auto is where the list in force stands\n(default: auto)"},
      {kTakesFile, "", "--file", "PATH", "edit this file of the node and no other"},
      {kTakesExact, "", "--exact", "", "add an entry even where a pattern of the list covers it"},
      {kTakesEmpty, "", "--empty", "", "make the list empty; 'set' without entries is an error"},
      {kTakesForce, "", "--force", "", "write entries that some kubelet does not start with"},
      {kTakesAllowWide, "", "--allow-wide", "", "write 'net.*', which allows everything below net"},
      {kTakesEvictPods, "", "--evict-pods", "",
       "go on although the kubelet then ends pods that run here and\nset what the list no longer "
       "allows"},
      {kTakesLasting, "", "--lasting", "",
       "also make it last: print what is to be done where the settings\nof this node come from, "
       "and "
       "write what of it is on this node"},
      {kTakesDropExpired, "", "--drop-expired", "",
       "take entries out of the list whose time is over"},
      {kTakesBeforeStart, "", "--before-start", "",
       "for the unit that runs before the kubelet: restart nothing,\nwait for nobody, and leave "
       "all "
       "to another run that is at work"},
      {kTakesFix, "", "--fix", "",
       "mend what needs no decision: a misspelt key, blanks, quotes\nand empty items, entries that "
       "stand twice or are covered"},
      {kTakesExitCode, "", "--exit-code", "",
       "exit with 6 on drift, or when a warning or an error is found"},
      {kTakesDryRun, "", "--dry-run", "", "say what would be done, and do none of it"},
      {kTakesDiff, "", "--diff", "",
       "print how each file changes, then go on; with --dry-run\nstop there"},
      {kTakesNoRestart, "", "--no-restart", "", "write, and leave the restart to somebody else"},
      {kTakesTimeout, "", "--timeout", "DURATION",
       "from the restart to the first healthy answer (default: 2m)"},
      {kTakesWindow, "", "--window", "DURATION",
       "how long it must then stay the same and healthy\n(default: 10s)"},
      {kTakesNoRollback, "", "--no-rollback", "",
       "leave a change in place that could not be confirmed"},
      {kTakesTrial, "", "--trial", "DURATION",
       "undo the change by itself after this, even without this\nsession, unless 'keep' makes it "
       "final before"},
      {kTakesEndTrial, "", "--end-trial", "ID",
       "end this trial now: what the timer of a trial runs"},
      {kTakesReason, "", "--reason", "TEXT", "why; kept in the record of the change"},
      {kTakesLockTimeout, "", "--lock-timeout", "DURATION",
       "how long to wait for another run to end (default: 30s)"},
      {kTakesUnchangedExit77, "", "--unchanged-exit-77", "",
       "exit with 77 when there was nothing to do"},
      {kTakesConfigz, "", "--configz", "",
       "also ask the live kubelet itself for its list (/configz), with\nthe credentials below, or "
       "with those that lie on this node"},
      {kTakesKubeconfig, "", "--kubeconfig", "FILE",
       "for --configz: through the API server, by kubectl"},
      {kTakesClientCertificate, "", "--client-certificate", "FILE",
       "for --configz: at the kubelet's own port, by curl"},
      {kTakesClientKey, "", "--client-key", "FILE", "the key of that certificate"},
      {kTakesUnit, "", "--unit", "NAME",
       "the unit that runs the kubelet (default: kubelet.service, or\nthe one that a distribution "
       "has in its place)"},
      {kTakesHost, "", "--host", "",
       "go from a container to its node first; it must be privileged\nand see the node's processes "
       "(in a pod: hostPID: true)"},
      {kTakesRoot, "", "--root", "DIR",
       "the node's files are below DIR: an image, a backup. Nothing is\nrestarted, no process "
       "asked"},
      {kTakesSystemdVersion, "", "--systemd-version", "N",
       "read units as this release does (default: the release that\nruns; 252 with --root)"},
      {kTakesKubeletVersion, "", "--kubelet-version", "X.Y[.Z]",
       "judge by the rules of this release of the kubelet (default:\nthe unit's program is asked; "
       "unknown with --root)"},
      {kTakesOutput, "-o", "--output", "text|json",
       "text for people, json for scripts (default: text)"},
      {kTakesMetrics, "-o", "--output", "text|json|prometheus",
       "text for people, json for scripts, prometheus for a node\nexporter's textfile collector "
       "(default: text)"},
      {kTakesColor, "", "--color", "auto|always|never",
       "auto: on a terminal, unless NO_COLOR is set (default: auto)"},
      {kTakesQuiet, "-q", "--quiet", "", "print nothing unless something goes wrong"},
      {kTakesVerbose, "-v", "--verbose", "", "say more; -vv also what is read"},
      {kTakesHelp, "-h", "--help", "", "print this"},
  };
  return options;
}

}  // namespace kubelet_sysctl::cli
