-- What is the most frequent number of class failures by family size?
-- gt3: more than three members, le3: three or fewer. Of equally frequent numbers the smallest.
WITH counted AS (
  SELECT famsize, failures, COUNT(*) AS students
  FROM student_data
  WHERE famsize IS NOT NULL AND failures IS NOT NULL
  GROUP BY famsize, failures
),
placed AS (
  SELECT
    famsize, failures, students,
    ROW_NUMBER() OVER (PARTITION BY famsize ORDER BY students DESC, failures) AS place
  FROM counted
)
SELECT famsize, failures, students
FROM placed
WHERE place = 1
ORDER BY famsize;
