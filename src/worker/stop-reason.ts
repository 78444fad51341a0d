/** Why a worker is to leave: a signal's name, the word `shutdown`, or that its primary is gone. */
export type StopReason = string;

/** The primary ended without stopping its workers first. */
export const PRIMARY_GONE = 'primary gone';
