// Command infra is the CDK app that deploys poolkeeper: one stack a Region, one construct a file.
//
// What depends on the baseline is derived from it: the event names of the rule come from the event table, the actions
// of the role from the settings that enforcing rules may write. The settings of a deployment come from the CDK context
// (-c key=value). All errors in them are reported at once, before anything is built or synthesized. The function is
// built for these settings: it links no service that they leave out.
package main
