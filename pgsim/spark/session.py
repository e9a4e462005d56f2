"""A Spark application of this process's own, on this machine or on a cluster."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pgsim.errors import PgsimError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "local[*]"  # every core of this machine


@contextmanager
def spark_session(master: str = LOCAL) -> Iterator["SparkSession"]:
    """A session on a master, which ends with the block.

    Python of this process is the executors' too, unless PYSPARK_PYTHON names another. UsageError
    where PySpark or Java is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError("Spark is not installed; pip install 'pgsim[spark]'") from error
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise UsageError("Spark needs Java, which is not here: apt install openjdk-17-jre-headless")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("pgsim")
    if master.startswith("local"):  # else it would listen on all addresses
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.ui.enabled", "false")
    builder = builder.config("spark.log.level", "ERROR")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    try:
        spark = builder.getOrCreate()
    except Exception as error:  # of Java, of PySpark or of the socket between them
        reason = str(error).strip().splitlines()[-1].strip()
        raise PgsimError(f"cannot start Spark on '{master}': {reason}") from None
    try:
        spark.sparkContext.setLogLevel("ERROR")
        yield spark
    finally:
        spark.stop()
