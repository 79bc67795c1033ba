"""A stream that sends reports to the logging module."""

import logging


class LogFile:
    """Logs each write. With reportIncrementFlag only lines of a report that took memory, and its
    headings."""

    def __init__(self, name=None, reportIncrementFlag=False):
        self.logger = logging.getLogger(name)
        self.reportIncrementFlag = reportIncrementFlag

    def _is_wanted(self, message):
        if not self.reportIncrementFlag:
            return True
        columns = message.split("MiB")
        if len(columns) > 1:
            try:
                return float(columns[1]) > 0
            except ValueError:
                return False
        return "Filename:" in message or "Line Contents" in message

    def flush(self):
        for each in tuple(self.logger.handlers):
            each.flush()

    def write(self, msg, level=logging.INFO):
        if self._is_wanted(msg):
            self.logger.log(level, msg)
