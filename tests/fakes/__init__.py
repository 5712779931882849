"""The providers as local servers that speak their wire formats and keep their rules.

They listen and speak: `ears` finds the turns in what a student says and recognises them, `mind`
decides what a tutor answers, `voice` says it. `children` are the processes in which the work is
done. The simulators share nothing with the clients that they test, so that two readings of each
protocol have to agree.
"""
