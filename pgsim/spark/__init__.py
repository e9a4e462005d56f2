"""The matrix by Apache Spark: the engine `cells`, its work shared out as tasks on data frames."""
