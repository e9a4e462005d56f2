"""Make the lists of exported vectors: spark-submit --py-files pgsim.zip spark_lists.py FROM TO."""

import sys

from pyspark.sql import SparkSession

from pgsim.spark.job import make_lists

vectors, lists = sys.argv[1:]
print(make_lists(SparkSession.builder.getOrCreate(), vectors, lists, recall=0.99, say=print))
