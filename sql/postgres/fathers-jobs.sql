-- What are the top three father's jobs by the parents' cohabitation status?
-- a: apart, t: together. Of equally frequent jobs the first in the alphabet comes first.
WITH counted AS (
  SELECT pstatus, fjob, COUNT(*) AS students
  FROM student_data
  WHERE pstatus IS NOT NULL AND fjob IS NOT NULL
  GROUP BY pstatus, fjob
),
placed AS (
  SELECT
    pstatus, fjob, students,
    ROW_NUMBER() OVER (PARTITION BY pstatus ORDER BY students DESC, fjob) AS place
  FROM counted
)
SELECT pstatus, place, fjob, students
FROM placed
WHERE place <= 3
ORDER BY pstatus, place;
